/** What people do in a history: they edit tasks as they like. What they did is kept, for some of it excuses what follows. */
import type { TaskId } from "../src/domain/identifiers.ts"
import type { World } from "../src/simulation/api.ts"
import type { Edit } from "./passHistory.ts"

export class People {
  /** Tasks that ever had a subtask: their status follows it. */
  readonly parents = new Set<TaskId>()
  /** Tasks that were edited within a pass: Tinytask has no compare-and-set, so either side may be overwritten. */
  readonly raced = new Set<TaskId>()
  /** Tasks that people took away while they may have been running. */
  readonly taken = new Set<TaskId>()
  /** Tasks whose lease was lost, torn or overwritten. */
  readonly lostLeases = new Set<TaskId>()
  /** Tasks whose attempts file was torn. */
  readonly tornAttempts = new Set<TaskId>()
  private readonly world: World

  constructor(world: World) {
    this.world = world
  }

  taskAt(index: number): TaskId | undefined {
    const ids = [...this.world.tinytask.tasks.keys()]
    return ids[index % Math.max(1, ids.length)]
  }

  noteParents(): void {
    for (const { task } of this.world.tinytask.tasks.values()) if (task.parent !== null) this.parents.add(task.parent)
  }

  /** An edit in the midst of a pass. */
  race(index: number, edit: Edit): void {
    const id = this.taskAt(index)
    if (id !== undefined) this.raced.add(id)
    this.edit(index, edit)
  }

  /** They leave alone what is complete. */
  edit(index: number, edit: Edit): void {
    const { tinytask } = this.world
    const id = this.taskAt(index)
    if (id === undefined || tinytask.read(id)?.status === "complete") return
    this.noteParents()
    switch (edit) {
      case "complete":
        return tinytask.change(id, { status: "complete" })
      case "archive":
        return tinytask.change(id, { archived: true })
      case "delete":
        return tinytask.remove(id)
      case "reassign":
        this.taken.add(id)
        return tinytask.change(id, { assignee: "a person" })
      case "giveBack":
        return tinytask.change(id, { status: "idle", assignee: null })
      case "block": {
        const [first] = tinytask.tasks.keys()
        // What is blocked by its own ancestor waits for ever: nobody means that.
        const mayWait = first !== undefined && first < id && !this.descendsFrom(id, first)
        return mayWait ? tinytask.change(id, { blockedBy: first }) : undefined
      }
      case "move":
        this.taken.add(id)
        return tinytask.change(id, { queue: "ops" })
      case "prioritise":
        return tinytask.change(id, { priority: 9 })
      case "addSubtask":
        this.parents.add(id)
        this.world.addTask({ parent: id })
    }
  }

  private descendsFrom(id: TaskId, ancestor: TaskId): boolean {
    const parent = this.world.tinytask.read(id)?.parent ?? null
    return parent !== null && (parent === ancestor || this.descendsFrom(parent, ancestor))
  }
}
