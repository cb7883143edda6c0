import { expect, test } from 'vitest'
import { nodeProblem } from '../src/node-problem.js'

test.each(['20.19.0', '20.20.2', '22.0.0', '100.1.0'])('Node %s will do', (version) => {
  expect(nodeProblem(version)).toBe(null)
})

test.each(['20.18.3', '18.20.0', '8.0.0'])('Node %s is too old, and it says which is not', (version) => {
  expect(nodeProblem(version)).toBe(
    `create-dit: Node must be 20.19 or later (this is ${version}); https://nodejs.org has newer ones`,
  )
})
