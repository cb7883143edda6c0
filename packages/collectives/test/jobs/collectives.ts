import { join } from '../../../../test/support/join.js'
import { checkCollectives } from './check-collectives.js'

/** Every collective between all ranks; prints `ok`. */
await join(import.meta.url, async (communicator) => {
  await checkCollectives(communicator)
  if (communicator.rank === 0) console.log(`ok ${communicator.name} ${communicator.size}`)
})
