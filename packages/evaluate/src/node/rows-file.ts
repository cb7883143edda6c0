import { readFile } from 'node:fs/promises'
import type { Features, Statistics } from '@dit/metrics'
import { readSafetensors, type StoredArray } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { isStatistics, type SideFeatures, type SideStatistics } from '../measures/measured.js'
import type { EvaluationRows } from '../rows.js'

/** Writes what an evaluation measured on, so that another can be compared with it pair by pair. */
export async function writeRows(path: string, { generated, real, classes, authentic }: EvaluationRows): Promise<void> {
  const arrays = new Map<string, StoredArray>()
  const add = (name: string, features: Features | null) => {
    if (features !== null)
      arrays.set(name, { dtype: 'F32', shape: features.shape, data: Float32Array.from(features.data) })
  }
  const addSide = (side: string, { features, spatial, logits }: SideFeatures) => {
    add(`${side}.features`, features)
    add(`${side}.spatial`, spatial)
    add(`${side}.logits`, logits)
  }
  addSide('generated', generated)
  const counts: Record<string, string> = {}
  if (isStatistics(real)) {
    for (const [name, statistics] of Object.entries({ pooled: real.pooled, spatial: real.spatial })) {
      if (statistics === null) continue
      const { count, mean, covariance } = statistics
      const width = mean.length
      arrays.set(`real.${name}.mean`, { dtype: 'F64', shape: [width], data: mean })
      arrays.set(`real.${name}.covariance`, { dtype: 'F64', shape: [width, width], data: covariance })
      counts[`real.${name}.count`] = String(count)
    }
  } else addSide('real', real)
  if (authentic !== null) arrays.set('authentic', { dtype: 'U8', shape: [authentic.length], data: authentic })
  await writeSafetensorsFile(path, arrays, { metadata: { ...counts, classes: JSON.stringify(classes) } })
}

/** Reads what `writeRows` has written. */
export async function readRows(path: string): Promise<EvaluationRows> {
  const file = readSafetensors(await readFile(path))
  const get = async (name: string): Promise<Features | null> => {
    if (!file.entries.has(name)) return null
    const { shape, data } = await file.tensor(name)
    return { shape, data: data as Float32Array }
  }
  const side = async (name: string): Promise<SideFeatures> => ({
    features: (await get(`${name}.features`))!,
    spatial: await get(`${name}.spatial`),
    logits: await get(`${name}.logits`),
  })
  const statistics = async (name: string): Promise<Statistics | null> => {
    if (!file.entries.has(`real.${name}.mean`)) return null
    const count = file.metadata[`real.${name}.count`]
    return {
      count: count === 'null' ? null : Number(count),
      mean: (await file.tensor(`real.${name}.mean`)).data as Float64Array,
      covariance: (await file.tensor(`real.${name}.covariance`)).data as Float64Array,
    }
  }
  const pooled = await statistics('pooled')
  const real: SideFeatures | SideStatistics =
    pooled === null ? await side('real') : { pooled, spatial: await statistics('spatial') }
  return {
    generated: await side('generated'),
    real,
    classes: JSON.parse(file.metadata.classes ?? 'null') as string[] | null,
    authentic: file.entries.has('authentic') ? ((await file.tensor('authentic')).data as Uint8Array) : null,
  }
}
