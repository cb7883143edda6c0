import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunGrid, runPage, type RunReport } from '@dit/evaluate'
import { readBest } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { readLog } from '../run/read-log.js'
import type { RunConfig } from '../run/run-config.js'
import { writeWhole } from '../run/write-whole.js'
import { formatCount } from '../terminal/format.js'
import { loggedEvaluation } from './evaluation-text.js'

/** The page of a run, in its folder. */
export const REPORT_FILE = 'report.html'

/** Writes the page of a run while it trains. */
export interface ReportWriter {
  /** Writes it anew, whole or not at all, from what lies in the folder. */
  write(state: RunReport['state']): Promise<void>
}

/**
 * The page of a run in a folder. An error is told once; training goes on without the page.
 *
 * @param onError is told of what could not be read or written
 */
export function reportWriter(folder: string, config: RunConfig, onError: (error: unknown) => void): ReportWriter {
  let isBroken = false
  return {
    async write(state) {
      if (isBroken) return
      try {
        await writeWhole(join(folder, REPORT_FILE), runPage(await readReport(folder, config, state)))
      } catch (error) {
        isBroken = true
        onError(error)
      }
    },
  }
}

/** What lies in the folder of a run, as its page shows it. */
export async function readReport(folder: string, config: RunConfig, state: RunReport['state']): Promise<RunReport> {
  const records = (await readLog(folder)) ?? []
  const evaluations = records.flatMap((record) => {
    const evaluation = loggedEvaluation(record)
    return evaluation === null ? [] : [{ step: record.step, measures: evaluation.results }]
  })
  return {
    name: folder,
    state,
    steps: config.steps,
    config: { ...config },
    records,
    evaluations,
    grids: await readGrids(join(folder, 'samples')),
    best: await readBest(folderRunStore(folder)),
    warnings: [],
  }
}

/** Grids of samples that are read: more would make a page of many megabytes. */
const MOST_GRIDS = 6

/** Grids over the course of a run, the first and the last among them. */
async function readGrids(folder: string): Promise<RunGrid[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^step-\d+\.png$/.test(name)).toSorted()
  const count = Math.min(MOST_GRIDS, names.length)
  const chosen = Array.from({ length: count }, (_, i) =>
    count === 1 ? names[0] : names[Math.round((i * (names.length - 1)) / (count - 1))],
  )
  return Promise.all(chosen.map((name) => readGrid(folder, name)))
}

async function readGrid(folder: string, name: string): Promise<RunGrid> {
  const png = await readFile(join(folder, name))
  const step = Number(/\d+/.exec(name)![0])
  // The header chunk comes first: width and height stand at fixed places.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const picture = `data:image/png;base64,${png.toString('base64')}`
  return { step, title: `Samples after ${formatCount(step)} steps`, picture, width, height }
}
