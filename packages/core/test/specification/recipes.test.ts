/** Which recipe a start uses: the task's one tag, else its agent's; a missing one keeps the task, not the next one. */
import { describe } from "vitest"
import { oneAgent, world } from "../builders.ts"
import { specify } from "./specify.ts"

const goose = () => oneAgent({ recipe: "ada.yaml", success: "tinytask", slots: 3 })

describe("recipes", () => {
  specify([
    {
      name: "an agent's recipe is used where the task names none",
      world: goose().addRecipe("ada.yaml", "present").addTask(1),
      lines: ["start task 1 on ada (epoch 1, attempt 1, ada.yaml)"]
    },
    {
      name: "a task's own tag comes before its agent's recipe",
      world: goose()
        .addRecipe("fix.yaml", "present")
        .addTask(1, { tags: ["urgent", "recipe:fix.yaml"] }),
      lines: ["start task 1 on ada (epoch 1, attempt 1, fix.yaml)"]
    },
    {
      name: "an agent with a command of its own needs no recipe",
      world: oneAgent().addTask(1),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a task whose recipe is missing waits and does not block the next one",
      world: goose()
        .addRecipe("gone.yaml", "missing")
        .addTask(1, { tags: ["recipe:gone.yaml"], priority: 9 })
        .addTask(2),
      lines: ["wait task 1: recipe missing at recipes/gone.yaml", "start task 2 on ada (epoch 1, attempt 1, ada.yaml)"]
    },
    {
      name: "a recipe outside the recipes directory is refused",
      world: goose()
        .addRecipe("../x.yaml", "outside")
        .addTask(1, { tags: ["recipe:../x.yaml"] }),
      lines: ["wait task 1: recipe recipes/../x.yaml is outside the recipes directory"]
    },
    {
      name: "two recipes of one task are ambiguous, told in one order",
      world: goose().addTask(1, { tags: ["recipe:b.yaml", "recipe:a.yaml"] }),
      lines: ["wait task 1: ambiguous recipe: tags name a.yaml, b.yaml"]
    },
    {
      name: "the same recipe named twice is one",
      world: goose().addTask(1, { tags: ["recipe:a.yaml", "recipe: a.yaml"] }),
      lines: ["start task 1 on ada (epoch 1, attempt 1, a.yaml)"]
    },
    {
      name: "an agent whose recipe is missing is passed over for one whose recipe is there",
      world: goose().addAgent("bo").addRecipe("ada.yaml", "missing").addTask(1),
      lines: ["start task 1 on bo (epoch 1, attempt 1)"]
    },
    {
      name: "a pool whose only agent lacks its recipe says so",
      world: goose().addRecipe("ada.yaml", "missing").addTask(1).addTask(2, { assignee: "ada" }),
      lines: ["wait task 1: recipe missing at recipes/ada.yaml", "wait task 2: recipe missing at recipes/ada.yaml"]
    },
    {
      name: "an agent whose own recipe is missing still takes a task that brings one",
      world: goose()
        .addRecipe("ada.yaml", "missing")
        .addRecipe("fix.yaml", "present")
        .addTask(1, { tags: ["recipe:fix.yaml"] }),
      lines: ["start task 1 on ada (epoch 1, attempt 1, fix.yaml)"]
    },
    {
      name: "a missing recipe is told before a missing slot: freeing one would not help",
      world: world()
        .addAgent("ada", { recipe: "ada.yaml" })
        .addRunning(9, "ada")
        .addRecipe("gone.yaml", "missing")
        .addTask(1, { tags: ["recipe:gone.yaml"] }),
      lines: ["wait task 1: recipe missing at recipes/gone.yaml", "running task 9 on ada (epoch 1): running"]
    }
  ])
})
