// A job of several ranks is killed again and again, resumed, and must end in the bytes of an unbroken one:
//
//   npm run soak:ddp -- --kills 25 --launcher mpich --ranks 3
//
// With --shard the ranks hold parts of the optimizer and write files of their own (--shard-optimizer --shard-checkpoint).
//
// Every second kill hits while a checkpoint is being written, the others at a random step; each is a SIGKILL of a random rank.
// After every kill all checkpoints that count must be whole, and none that counted may be gone but by --keep-last.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { integers, randomStream } from '@dit/random'
import { checkWhole, newestStep, runHashes } from './check-run.js'
import { LAUNCHERS, type Launcher, startJob } from './job.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '25' },
    ranks: { type: 'string', default: '3' },
    launcher: { type: 'string', default: 'openmpi' },
    seed: { type: 'string', default: '0' },
    shard: { type: 'boolean', default: false },
  },
})
const [kills, ranks, seed] = [values.kills, values.ranks, values.seed].map(Number)
const launcher = values.launcher as Launcher
if (!LAUNCHERS.includes(launcher) || !(kills >= 0) || !(ranks >= 1)) {
  console.error(`soak:ddp: --launcher must be one of ${LAUNCHERS.join(', ')}, --kills and --ranks numbers`)
  process.exit(2)
}

const STEPS_A_KILL = 24
const steps = STEPS_A_KILL * (kills + 2)
const folder = mkdtempSync(join(tmpdir(), 'dit-soak-'))
const draws = integers(randomStream(seed, 'soak'), 2 ** 30, 3 * (kills + 1))
const job = (name: string) => ({ folder: join(folder, name), steps, ranks, launcher, isSharded: values.shard })
const began = performance.now()

let [done, duringSave, lost, resumed] = [0, 0, 0, 0]
try {
  console.log(
    `${ranks} ranks (${launcher}${values.shard ? ', sharded' : ''}), ${steps} steps, a checkpoint every 6, ${kills} kills`,
  )
  const whole = await startJob(job('whole')).ended
  if (whole.code !== 0) throw new Error(`the unbroken run ended with ${whole.code}: ${whole.stderr}`)
  let last = 0
  for (;;) {
    const [span, rank, delay] = draws.subarray(3 * done, 3 * done + 3)
    const running = startJob(job('broken'))
    let victim: number | null = null
    if (done < kills) {
      const atSave = done % 2 === 1
      const from = last + 1 + (span % (2 * STEPS_A_KILL - 12))
      victim = await running.killAt({ step: from, atSave, rank: rank % ranks, delay: delay % 20 })
    }
    const { code, step, stderr } = await running.ended
    const damage = await checkWhole(job('broken').folder)
    if (damage !== null) throw new Error(`after kill ${done}: ${damage}`)
    const newest = await newestStep(job('broken').folder)
    if (newest < last) throw new Error(`the checkpoint of step ${last} counted before kill ${done} and is gone`)
    if (victim === null) {
      if (code !== 0) throw new Error(`the last start ended with ${code}: ${stderr}`)
      break
    }
    if (code === 0) throw new Error(`rank ${victim} was killed, and the job ended with code 0`)
    done++
    resumed += newest > 0 ? 1 : 0
    lost += Math.max(0, step - newest)
    duringSave += running.wasSaving() ? 1 : 0
    console.log(
      `kill ${done}: rank ${victim} after step ${step}${running.wasSaving() ? ', while saving' : ''}; resumes at ${newest}`,
    )
    last = newest
  }
  const [a, b] = [await runHashes(job('whole').folder), await runHashes(job('broken').folder)]
  const different = Object.keys(a).filter((name) => a[name] !== b[name])
  if (different.length > 0) throw new Error(`these files are not those of the unbroken run: ${different.join(', ')}`)
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(
    `ok: ${done} kills (${duringSave} while saving), ${resumed} resumes from a checkpoint, ${lost} steps done twice, ` +
      `no checkpoint lost or damaged; ${Object.keys(a).length} files byte-identical to the unbroken run; ${seconds} s`,
  )
} catch (error) {
  console.error(`soak:ddp: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
