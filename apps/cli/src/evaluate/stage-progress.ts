import type { Stage } from '@dit/evaluate'
import type { Output } from '../terminal/output.js'
import { type Progress, showProgress } from '../terminal/progress.js'

/** Progress of the stages of an evaluation, one after the other. */
export interface StageProgress {
  readonly update: (progress: { readonly stage: Stage; readonly done: number; readonly total: number }) => void
  stop(): void
}

/** Shows how far each stage is; those that take no time stay silent where there is no terminal. */
export function stageProgress(output: Output): StageProgress {
  let current: { readonly stage: Stage; readonly progress: Progress } | null = null
  const stop = () => {
    current?.progress.stop()
    current = null
  }
  return {
    update({ stage, done, total }) {
      output.event({ type: 'progress', stage, done, total })
      if (stage !== current?.stage) {
        stop()
        const unit = stage === 'measures' ? 'measures' : 'pictures'
        current = {
          stage,
          progress: showProgress(output, {
            total,
            start: done,
            unit,
            isPlainShown: stage === 'samples' ? true : 'when slow',
          }),
        }
      }
      current?.progress.update(done, stage)
      if (done >= total) stop()
    },
    stop,
  }
}
