/** What embedders import: `@tinyscheduler/core`. */
export { reconcile } from "./reconcile/reconcile.ts"
