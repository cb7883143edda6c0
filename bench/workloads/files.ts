import { openSafetensorsFile } from '@dit/checkpoint/node'
import { type Backend, type Params, type Tensor, tensor, upload } from '@dit/tensor'

/** A tensor of the inputs, on the backend. */
export async function readTensor(path: string, name: string, backend: Backend): Promise<Tensor> {
  const file = await openSafetensorsFile(path)
  try {
    return tensor(await file.float32(name), file.entries.get(name)!.shape, { backend })
  } finally {
    await file.close()
  }
}

/** Integers of the inputs, on the host. */
export async function readInt32(path: string, name: string): Promise<Int32Array> {
  const file = await openSafetensorsFile(path)
  try {
    return (await file.tensor(name)).data as Int32Array
  } finally {
    await file.close()
  }
}

/** Fills tensors from a file under their names, one after another: the host never holds two. */
export async function uploadInto(params: Params, path: string): Promise<void> {
  const file = await openSafetensorsFile(path)
  try {
    for (const [name, param] of Object.entries(params)) upload(param, await file.float32(name))
  } finally {
    await file.close()
  }
}
