import * as tf from '@tensorflow/tfjs-core'
import { isWebGpu, runElementwise } from '../webgpu/program.js'

// The webgpu engine leaves these to WGSL, whose sin and cos may be off by 2^-11 and whose exp by 2 |x| + 3 units in the last
// place (WGSL, "Accuracy of concrete floating point expressions"). There they are computed by programs of our own.

export const exp = (x: tf.Tensor): tf.Tensor => (isWebGpu() ? run('exponential', x) : tf.exp(x))
export const sin = (x: tf.Tensor): tf.Tensor => (isWebGpu() ? run('sine', x) : tf.sin(x))
export const cos = (x: tf.Tensor): tf.Tensor => (isWebGpu() ? run('cosine', x) : tf.cos(x))

function run(name: 'exponential' | 'sine' | 'cosine', x: tf.Tensor): tf.Tensor {
  const value = `select(${name}(A[index]), A[index], isnan(A[index]))`
  return runElementwise({ name, functions: WGSL, value, dtype: 'float32' }, [x])
}

/**
 * - exponential: x = k ln 2 + r with ln 2 in two parts (Cody & Waite 1980); the Taylor series of e^r to r^7, |r| <= 0.35.
 * - sine, cosine: x = k pi + r or (k + 1/2) pi + r with pi in three parts; the Taylor series of sin r to r^13, |r| <= pi / 2.
 */
const WGSL = `
fn exponential(x : f32) -> f32 {
  let within = clamp(x, -104.0, 89.0); // beyond, the result is 0 or infinite
  let k = round(within * 1.44269504);
  let r = fma(k, -1.42860677e-6, fma(k, -0.693145752, within));
  var y = 1.0 / 5040.0;
  y = fma(r, y, 1.0 / 720.0);
  y = fma(r, y, 1.0 / 120.0);
  y = fma(r, y, 1.0 / 24.0);
  y = fma(r, y, 1.0 / 6.0);
  y = fma(r, y, 0.5);
  y = fma(r * r, y, r) + 1.0;
  let n = i32(k);
  let half = n / 2; // 2^n may lie beyond f32 where the result does not
  return y * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((n - half + 127) << 23u);
}
fn sine_of_rest(x : f32, turns : f32, k : f32) -> f32 {
  let r = fma(turns, -1.50995799e-7, fma(turns, -0.000967502594, fma(turns, -3.140625, x)));
  let q = r * r;
  var y = 1.0 / 6227020800.0;
  y = fma(q, y, -1.0 / 39916800.0);
  y = fma(q, y, 1.0 / 362880.0);
  y = fma(q, y, -1.0 / 5040.0);
  y = fma(q, y, 1.0 / 120.0);
  y = fma(q, y, -1.0 / 6.0);
  y = fma(r * q, y, r);
  return select(y, -y, (i32(k) & 1) == 1);
}
fn sine(x : f32) -> f32 {
  let k = round(x * 0.318309886);
  return sine_of_rest(x, k, k);
}
fn cosine(x : f32) -> f32 {
  let k = floor(x * 0.318309886);
  return -sine_of_rest(x, k + 0.5, k);
}`
