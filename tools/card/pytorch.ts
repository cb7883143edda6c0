import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DiTConfig } from '@dit/model'
import { ATTENTIONS, GEMMS, type Rate } from './rates.js'

/** A rate of PyTorch; its precisions are f32 and bf16. */
export type TorchRate = Rate & { readonly engine: 'pytorch eager' | 'pytorch compiled' }

export interface TorchReport {
  readonly device: string
  readonly torch: string
  readonly rates: readonly TorchRate[]
  /** What PyTorch could not do here, for instance compile. */
  readonly failed: readonly string[]
}

export interface TorchOptions {
  readonly python: string
  readonly parts: readonly string[]
  readonly models: readonly { readonly name: string; readonly config: DiTConfig; readonly forwardFlops: number }[]
  readonly batch: number
  readonly seconds: number
}

/** Measures the same in PyTorch, which prints a line for each rate. */
export async function torchRates({ python, ...asked }: TorchOptions): Promise<TorchReport> {
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url))
  const question = JSON.stringify({ ...asked, gemms: GEMMS, attentions: ATTENTIONS })
  const child = spawn(python, [script, question], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  let about = { device: '', torch: '' }
  const rates: TorchRate[] = []
  const failed: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    const said = JSON.parse(line) as typeof about | (TorchRate & { failed?: string })
    if (!('part' in said)) about = said
    else if (said.failed === undefined) rates.push(said)
    else failed.push(`${said.engine} ${said.precision}, ${said.part} ${said.name}: ${said.failed}`)
  }
  const code = await ended
  if (code !== 0) throw new Error(`card: ${python} ended with ${String(code)}`)
  return { ...about, rates, failed }
}

/** How many times as fast as PyTorch each of our rates is: f32 beside its float32, f16 beside its bfloat16. */
export function ratios(ours: readonly Rate[], theirs: readonly TorchRate[]) {
  return ours.flatMap(({ part, name, precision, milliseconds }) => {
    const same = theirs.filter(
      (rate) =>
        rate.part === part && rate.name === name && rate.precision === (precision.startsWith('f32') ? 'f32' : 'bf16'),
    )
    if (same.length === 0) return []
    const times = Object.fromEntries(same.map((rate) => [rate.engine, rate.milliseconds[1] / milliseconds[1]]))
    return [{ part, name, precision, times }]
  })
}
