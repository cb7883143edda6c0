import { permutation, randomStream } from '@dit/random'

/** Rows of features with the class of each. */
export interface Examples {
  /** `[count, width]` */
  readonly features: Float32Array
  readonly labels: ArrayLike<number>
  readonly width: number
}

/** How a classifier is trained. */
export interface ClassifierOptions {
  readonly numClasses: number
  readonly epochs?: number
  readonly batch?: number
  readonly learningRate?: number
  readonly weightDecay?: number
  readonly seed?: number
}

/** The class that a classifier finds in each of some rows of features. */
export type Classifier = (features: Float32Array) => Int32Array

/**
 * Multinomial logistic regression on standardised features, by Adam with a rate that falls to nothing: weak enough to need clear pictures,
 * and a function of its examples and seed alone.
 *
 * @throws RangeError for no examples, or another number of features than labels
 */
export function trainClassifier(
  { features, labels, width }: Examples,
  { numClasses, epochs = 15, batch = 64, learningRate = 1e-3, weightDecay = 1e-3, seed = 0 }: ClassifierOptions,
): Classifier {
  const count = labels.length
  if (count === 0 || features.length !== count * width)
    throw new RangeError(
      `trainClassifier: features must be [${count}, ${width}], one row a label and at least one (got ${features.length} values)`,
    )
  const { mean, scale } = standardisation(features, width)
  const rows = standardised(features, mean, scale)
  const weights = new Float32Array(numClasses * (width + 1))
  const gradient = new Float32Array(weights.length)
  const [first, second] = [new Float32Array(weights.length), new Float32Array(weights.length)]
  const perEpoch = Math.ceil(count / batch)
  let step = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(randomStream(seed, 'classifier', epoch), count)
    for (let start = 0; start < count; start += batch) {
      const some = order.subarray(start, Math.min(start + batch, count))
      gradient.fill(0)
      for (const row of some) {
        const x = rows.subarray(row * width, (row + 1) * width)
        const error = softmax(scoresOf(weights, x, numClasses))
        error[labels[row]] -= 1
        addOuter(gradient, error, x)
      }
      step++
      const rate = learningRate * (1 - (step - 1) / (epochs * perEpoch))
      for (let i = 0; i < weights.length; i++) {
        const g = gradient[i] / some.length + weightDecay * weights[i]
        first[i] = 0.9 * first[i] + 0.1 * g
        second[i] = 0.999 * second[i] + 0.001 * g * g
        const corrected = first[i] / (1 - 0.9 ** step) / (Math.sqrt(second[i] / (1 - 0.999 ** step)) + 1e-8)
        weights[i] -= rate * corrected
      }
    }
  }
  return (others) => {
    const seen = standardised(others, mean, scale)
    return Int32Array.from({ length: seen.length / width }, (_, row) =>
      largest(scoresOf(weights, seen.subarray(row * width, (row + 1) * width), numClasses)),
    )
  }
}

/** Share of rows whose class is found, with Wilson's 95 % interval (1927): it holds for shares near 0 and 1, too. */
export function shareFound(found: ArrayLike<number>, labels: ArrayLike<number>): ShareFound {
  const count = labels.length
  const right = Array.from(found).filter((label, i) => label === labels[i]).length
  const share = right / count
  const z = 1.959964
  const middle = (share + (z * z) / (2 * count)) / (1 + (z * z) / count)
  const reach = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count))
  return { share, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach), count }
}

/** A share of so many pictures, with its interval. */
export interface ShareFound {
  readonly share: number
  readonly low: number
  readonly high: number
  readonly count: number
}

/** A row of weights a class: one for each feature, and the bias. */
function scoresOf(weights: Float32Array, x: Float32Array, numClasses: number): Float64Array {
  const scores = new Float64Array(numClasses)
  for (let k = 0; k < numClasses; k++) {
    const at = k * (x.length + 1)
    let sum = weights[at + x.length]
    for (let j = 0; j < x.length; j++) sum += weights[at + j] * x[j]
    scores[k] = sum
  }
  return scores
}

function addOuter(gradient: Float32Array, error: Float64Array, x: Float32Array): void {
  for (let k = 0; k < error.length; k++) {
    const at = k * (x.length + 1)
    const e = error[k]
    for (let j = 0; j < x.length; j++) gradient[at + j] += e * x[j]
    gradient[at + x.length] += e
  }
}

function softmax(scores: Float64Array): Float64Array {
  const most = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

const largest = (scores: Float64Array) => scores.indexOf(Math.max(...scores))

/** Mean of each feature, and what its deviation is divided by; a feature that never varies counts nothing. */
function standardisation(features: Float32Array, width: number): { mean: Float64Array; scale: Float64Array } {
  const count = features.length / width
  const [mean, square] = [new Float64Array(width), new Float64Array(width)]
  for (let i = 0; i < features.length; i++) mean[i % width] += features[i] / count
  for (let i = 0; i < features.length; i++) square[i % width] += (features[i] - mean[i % width]) ** 2 / count
  return { mean, scale: square.map((value) => (value > 1e-12 ? 1 / Math.sqrt(value) : 0)) }
}

function standardised(features: Float32Array, mean: Float64Array, scale: Float64Array): Float32Array {
  const width = mean.length
  return features.map((value, i) => (value - mean[i % width]) * scale[i % width])
}
