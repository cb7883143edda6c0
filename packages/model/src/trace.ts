import { reshape, stopGradient, type Tensor } from '@dit/tensor'

/** Told of every intermediate result, in the order they arise. */
export type Trace = (name: string, value: Tensor) => void

/** Hands out handles of its own, so that the model may let go of what it has shown. */
export function handing(trace: Trace | undefined): Trace {
  return trace === undefined
    ? ignore
    : (name, value) =>
        trace(
          name,
          stopGradient(() => reshape(value, value.shape)),
        )
}

export const ignore: Trace = () => {}

/** Puts a prefix before the names. */
export function under(prefix: string, trace: Trace): Trace {
  return trace === ignore ? ignore : (name, value) => trace(name === '' ? prefix : `${prefix}.${name}`, value)
}
