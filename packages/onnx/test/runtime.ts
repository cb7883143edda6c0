import { type DiTConfig, initParams } from '@dit/model'
import type { Block } from '@dit/model/blocks'
import { type OnnxGraph, onnxBytes } from '@dit/onnx'
import { add, affine, type Params, randomNormal, randomStream, type Tensor, toFloat32Array } from '@dit/tensor'
import * as ort from 'onnxruntime-web'
import { expect } from 'vitest'

// The WebAssembly build of ONNX Runtime, which installs without a script and runs in Node.
ort.env.logLevel = 'fatal'
ort.env.wasm.numThreads = 1

/** Parameters of a model on which every one of them tells: a fresh model is the zero function. */
export function movedParams(of: DiTConfig, block?: Block): Params {
  return Object.fromEntries(
    Object.entries(initParams(of, { block })).map(([name, value]) => [
      name,
      add(value, affine(randomNormal(value.shape, randomStream(2, name)), 0.1)),
    ]),
  )
}

export const readFrom = (params: Params) => (name: string) => toFloat32Array(params[name])

/** All pieces of a stream as one. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece.slice())
  return Buffer.concat(all)
}

export type Feeds = Readonly<Record<string, readonly [readonly number[], Float32Array | BigInt64Array]>>

/** Runs a graph in ONNX Runtime. */
export async function run(graph: OnnxGraph, params: Params, feeds: Feeds): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(await collect(onnxBytes(graph, readFrom(params))))
  return runSession(session, feeds)
}

export async function runSession(session: ort.InferenceSession, feeds: Feeds): Promise<ort.Tensor> {
  const tensors = Object.entries(feeds).map(([name, [shape, data]]) => {
    const tensor =
      data instanceof BigInt64Array ? new ort.Tensor('int64', data, shape) : new ort.Tensor('float32', data, shape)
    return [name, tensor]
  })
  return (await session.run(Object.fromEntries(tensors)))[session.outputNames[0]]
}

export const { InferenceSession } = ort

/** Within 1e-4 of the largest value, or of 1 if that is larger: both sides compute in float32 and add in other orders. */
export async function expectSame(got: ort.Tensor, want: Tensor): Promise<void> {
  expect([...got.dims]).toEqual(want.shape)
  const [values, wanted] = [got.data as Float32Array, await toFloat32Array(want)]
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  const error = values.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0)
  expect(error / scale).toBeLessThan(1e-4)
  expect(values.some((value) => value !== 0)).toBe(true)
}
