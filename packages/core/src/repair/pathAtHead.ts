/** What is wrong with a file is told with its path first, and a path may hold spaces. */

/** The path that a problem begins with, of those that are known; null when it is about none of them. */
export const pathAtHead = (problem: string, known: { readonly has: (path: string) => boolean }): string | null => {
  for (let end = problem.indexOf(" "); end >= 0; end = problem.indexOf(" ", end + 1)) {
    const path = problem.slice(0, end)
    if (known.has(path)) return path
  }
  return null
}
