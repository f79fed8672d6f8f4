/** The largest pid that any of our systems gives out; beyond it process.kill refuses the number. */
const pidMax = 4_194_304

/** Whether any process has this pid: only ESRCH says no. EPERM is somebody else's process, and a process. */
export const pidExists = (pid: number): boolean => {
  if (!Number.isSafeInteger(pid) || pid < 1 || pid > pidMax) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH")
  }
}
