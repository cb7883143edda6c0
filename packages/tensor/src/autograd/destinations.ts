import { empty, type Tensor } from '../tensor.js'

/** Where gradients are to stand in the end, by the id of the parameter, as long as nothing was written there. */
let destinations: Map<number, Tensor> | null = null

/**
 * A tensor with undefined contents for the gradient of `input`. For a parameter whose gradient has a place of its own, the
 * first to ask gets that place, which spares a copy.
 */
export function emptyGradient(input: Tensor): Tensor {
  const place = destinations?.get(input.id)
  if (place === undefined || place.dtype !== input.dtype || place.backend !== input.backend) {
    return empty(input.backend, input.shape, input.dtype)
  }
  destinations!.delete(input.id)
  return place.view(input.shape)
}

/** Runs `fn` with places for the gradients of some tensors, by their ids. */
export function withDestinations<T>(places: ReadonlyMap<number, Tensor>, fn: () => T): T {
  const previous = destinations
  destinations = new Map(places)
  try {
    return fn()
  } finally {
    destinations = previous
  }
}
