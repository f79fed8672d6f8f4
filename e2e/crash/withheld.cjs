// Stands in the place of the supervisor's program: keeps the order that it was given, and claims nothing.
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs")
const { dirname, join } = require("node:path")

const text = readFileSync(0, "utf8")
const { lease } = JSON.parse(text)
const orders = join(dirname(__dirname), "orders")
mkdirSync(orders, { recursive: true })
writeFileSync(join(orders, `${lease.task_id}.${lease.epoch}`), text)
