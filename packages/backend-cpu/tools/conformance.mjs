// Runs the conformance suite on a build, in plain JavaScript, so that it also runs where the tests' tools do not: on another
// kind of processor, or under an emulator of one.
//
//   node packages/backend-cpu/tools/conformance.mjs [native|wasm] [threads]
import { cpu, describeCpu } from '@dit/backend-cpu'
import { conformanceCases } from '@dit/tensor/conformance'

const [engine = 'native', threads = '1'] = process.argv.slice(2)
const backend = await cpu({ engine, threads: Number(threads) })
const { instructionSet } = describeCpu(backend)

let failed = 0
let worst = 0
const cases = conformanceCases({ exactNormals: true })
for (const { name, run } of cases) {
  try {
    const error = await run(backend)
    worst = Math.max(worst, error)
    if (error <= 1) continue
    console.log(`${name}: ${error.toPrecision(3)} times the tolerance`)
  } catch (error) {
    console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
  failed++
}
await backend.dispose()
console.log(
  `${backend.name}, ${instructionSet}, ${threads} threads, ${process.arch}: ${cases.length - failed} cases passed,`,
)
console.log(`${failed} failed; largest error over tolerance ${worst.toPrecision(2)}`)
process.exitCode = failed > 0 ? 1 : 0
