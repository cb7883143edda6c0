#!/usr/bin/env node
// The command `create-dit`, which `npm create dit` runs. An old Node gets a sentence before anything else is loaded.
import { nodeProblem } from './node-problem.js'

const problem = nodeProblem(process.versions.node)
if (problem === null) {
  const { runCreate } = await import('./run-create.js')
  process.exitCode = await runCreate(process.argv.slice(2), {
    cwd: process.cwd(),
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
  })
} else {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 2
}
