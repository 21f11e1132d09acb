// gitmem-enable 0000000000000000: `gitmem disable opencode` takes this file away.
//
// opencode has hooks for plugins alone. This one runs gitmem's stub when a session begins and each time it has
// finished, and puts what the stub prints into the system prompt of that session. It never throws: without gitmem,
// or when it takes too long, a session goes on as if this file were not there.
import { spawn } from "node:child_process"

const COMMANDS = GITMEM_COMMANDS
const PATIENCE_MS = 500 + 1000 * (Number(process.env.GITMEM_ANSWER_S) || 1)
const MOST_SESSIONS = 100

const run = (event, payload, directory, takesAnswer) =>
  new Promise((resolve) => {
    try {
      const child = spawn("sh", ["-c", COMMANDS[event]], {
        cwd: directory,
        stdio: ["pipe", takesAnswer ? "pipe" : "ignore", "ignore"],
      })
      let said = ""
      const timer = setTimeout(() => resolve(""), PATIENCE_MS)
      const end = (text) => {
        clearTimeout(timer)
        resolve(text)
      }
      child.on("error", () => end(""))
      child.stdin.on("error", () => {})
      child.stdout?.on("data", (data) => (said += data))
      child.on("close", () => end(said))
      child.stdin.end(JSON.stringify(payload))
    } catch {
      resolve("")
    }
  })

export const Gitmem = async ({ directory }) => {
  const children = new Set()
  const contexts = new Map()

  const start = (sessionID) => {
    if (!contexts.has(sessionID)) {
      if (contexts.size >= MOST_SESSIONS) contexts.delete(contexts.keys().next().value)
      const payload = { sessionID, directory, source: "startup" }
      const answer = run("session-start", payload, directory, true).then((said) => {
        try {
          return JSON.parse(said).context ?? ""
        } catch {
          return ""
        }
      })
      contexts.set(sessionID, answer)
    }
    return contexts.get(sessionID)
  }

  return {
    event: async ({ event }) => {
      const info = event?.properties?.info
      if (info?.parentID) children.add(info.id)
      const sessionID = event?.properties?.sessionID ?? info?.id
      if (!sessionID || children.has(sessionID)) return
      if (event.type === "session.created") start(sessionID)
      if (event.type === "session.idle") run("stop", { sessionID, directory }, directory, false)
    },
    "experimental.chat.system.transform": async (input, output) => {
      if (!input?.sessionID || children.has(input.sessionID)) return
      const context = await start(input.sessionID)
      if (context) output.system.push(context)
    },
  }
}
