import { expect, test } from 'vitest'
import { type Addon, loadAddon } from '../src/native/addon.js'
import { nativeEngine } from '../src/native/engine.js'

const found = loadAddon()
const addon = typeof found === 'string' ? null : found
if (addon === null) process.stdout.write(`skipped what needs the native engine: ${found as string}\n`)

/** The addon on a system that lets a process have so many bytes of addresses, as under `ulimit -v`. */
function limitedTo(bytes: number): { readonly limited: Addon; readonly reserved: number[] } {
  const reserved: number[] = []
  const create: Addon['create'] = (set, products, threads, patience, asked) => {
    if (asked > bytes) return null
    reserved.push(asked)
    return addon!.create(set, products, threads, patience, asked)
  }
  return { limited: { ...addon!, create }, reserved }
}

test.skipIf(addon === null)('where addresses are limited, the engine leaves a quarter of what it can get', async () => {
  const { limited, reserved } = limitedTo(2 ** 30)
  const engine = nativeEngine(limited, 1)
  try {
    expect(reserved).toHaveLength(2)
    expect(reserved[0]).toBeGreaterThan(2 ** 29 - 2 ** 25)
    expect(reserved[1]).toBeLessThanOrEqual(0.75 * reserved[0])
    const address = engine.allocate(2 ** 26)
    engine.write(address, Float32Array.of(1, 2, 3))
    const back = new Float32Array(3)
    engine.read(address, back)
    expect([...back]).toEqual([1, 2, 3])
    expect(() => engine.allocate(2 ** 30)).toThrow(
      /^cpu-native: of what the system lets a process have \(`ulimit -v`\), tensors get \d+\.0 MiB; asked for 1024\.0 MiB/,
    )
  } finally {
    await engine.dispose()
  }
})

test.skipIf(addon === null)('where next to none are to be had, the error names the limit', () => {
  expect(() => nativeEngine(limitedTo(2 ** 26).limited, 1)).toThrow(
    /^cpu-native: the system refused 128 MiB of addresses; `ulimit -v` may be too low$/,
  )
})

test.skipIf(addon === null)('without a limit, all that the machine has is reserved at once', async () => {
  const { limited, reserved } = limitedTo(Infinity)
  await nativeEngine(limited, 1).dispose()
  expect(reserved).toHaveLength(1)
})
