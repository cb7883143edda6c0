import { type Communicator, type Floats, onRankZero } from '@dit/collectives'
import { type Backend, dispose, type Params, type Shape, sizeOf, tensor, type Tensor } from '@dit/tensor'

/**
 * Parameters of rank 0 on every rank, so that no other machine needs the files that they came from. Every rank calls it.
 *
 * @param params of rank 0; others give none
 * @param shapes of the parameters by name, the same on every rank
 * @returns those of rank 0 themselves there, new ones on the others; the caller disposes of them
 */
export async function shareParams(
  communicator: Communicator,
  params: Params | undefined,
  shapes: Readonly<Record<string, Shape>>,
  backend: Backend,
): Promise<Params> {
  const names = Object.keys(shapes)
  if (communicator.size === 1) return params!
  const received: Record<string, Tensor> = {}
  let current: Floats | null = null
  const receive = async (index: number) => {
    const name = names[index]
    const size = sizeOf(shapes[name])
    const values = current ?? (backend.float === 'f64' ? new Float64Array(size) : new Float32Array(size))
    await communicator.broadcast(values).wait()
    if (current === null) received[name] = tensor(values, shapes[name], { backend })
  }
  try {
    const send = async (together: (a: number, b: number) => Promise<void>) => {
      for (const [index, name] of names.entries()) {
        current = (await params![name].data()) as Floats
        await together(index, 0)
      }
    }
    await onRankZero(communicator, send, receive)
    return communicator.rank === 0 ? params! : received
  } catch (error) {
    dispose(received)
    throw error
  }
}
