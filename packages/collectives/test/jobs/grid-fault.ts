import { join } from '../../../../test/support/join.js'

const { isBlocking } = JSON.parse(process.argv[2]) as { isBlocking?: boolean }

/** Four ranks in rows and columns, of which rank 3 freezes: rank 0 waits for rank 1, which waits for it. */
await join(
  import.meta.url,
  async (all) => {
    const { rank } = all
    const row = await all.group(rank < 2 ? [0, 1] : [2, 3])
    const column = await all.group(rank % 2 === 0 ? [0, 2] : [1, 3])
    for (let step = 0; step < 20; step++) {
      if (step === 5 && rank === 3) for (;;);
      for (const group of [column, row]) {
        const values = new Float32Array(3000)
        if (isBlocking) group.blocking!.allReduce(values)
        else await group.allReduce(values).wait()
      }
      if (rank === 0) console.log(`step ${step}`)
    }
  },
  5,
)
