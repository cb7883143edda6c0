import type { Reporter, TestModule, Vitest } from 'vitest/node'
import { numTests } from './num-tests.js'

/** Files that are named as the slowest of a run of all tests. */
const SLOWEST = 12

/** Share by which `numTests` may be off before it is told of, and before it is an error: engines differ from machine to machine. */
const [TOLD, ERROR] = [0.02, 0.15]

/**
 * Ends a run with plain lines: how many tests passed, failed and were skipped; after the quick tier, how many of all tests that
 * was; after all of them, which files took longest, and whether `numTests` is still right.
 */
export class TierReporter implements Reporter {
  private readonly isWhole: boolean
  private vitest: Vitest | undefined

  constructor(isWhole: boolean) {
    this.isWhole = isWhole
  }

  onInit(vitest: Vitest): void {
    this.vitest = vitest
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const { children } of modules) {
      for (const test of children.allTests()) counts[test.result().state]++
    }
    const { passed, failed } = counts
    const skipped = counts.skipped + counts.pending
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
    if (!this.isWhole) {
      const ran = `ran ${count(passed + failed)} of about ${count(numTests)} tests (quick tier)`
      console.log(`${ran}; the rest: npm run test:all`)
    } else if (await this.isComplete(modules.length)) {
      for (const line of slowestLines(modules)) console.log(line)
      this.checkTotal(passed + failed + skipped)
    }
  }

  /** Whether all files ran, not only some that were asked for. */
  private async isComplete(numModules: number): Promise<boolean> {
    const { config } = this.vitest!
    if (config.project.length > 0 || config.testNamePattern !== undefined) return false
    return numModules === (await this.vitest!.globTestSpecifications()).length
  }

  private checkTotal(total: number): void {
    const off = Math.abs(total / numTests - 1)
    if (off <= TOLD) return
    console.log(
      `there are ${total} tests; write about that number into tools/tests/num-tests.ts, which says ${numTests}`,
    )
    if (off > ERROR) process.exitCode = 1
  }
}

function slowestLines(modules: readonly TestModule[]): string[] {
  return modules
    .map((module) => ({
      path: `${module.project.name} ${module.relativeModuleId}`,
      seconds: module.diagnostic().duration / 1000,
    }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map(({ path, seconds }) => `${seconds.toFixed(0).padStart(5)} s  ${path}`)
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}
