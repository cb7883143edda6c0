/**
 * Functions of one number in WGSL, as scalars or vectors (`V`), written out because the language leaves too much to drivers:
 * its sin and cos may be off by 2^-11, its exp by 2 |x| + 3 units in the last place (WGSL, section "Accuracy of
 * concrete floating point expressions").
 *
 * - exp: x = k ln 2 + r with |r| <= ln(2) / 2, ln 2 in two parts (Cody & Waite 1980); the Taylor series of e^r to r^7.
 * - log: x = m 2^k with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), to s^9.
 * - sin, cos: x = k pi/2 + r with pi/2 in three parts; Taylor series to r^9 and r^10. For |x| up to about 10^4.
 *
 * The parts of a constant are multiplied by k, 2 k, 4 k, each from its own integer: drivers may gather terms with a common factor
 * (Mesa does), which would add the parts up again to one rounded constant.
 */
export function precise(type: 'f32' | 'vec4<f32>'): string {
  const vector = type !== 'f32'
  const I = vector ? 'vec4<i32>' : 'i32'
  const U = vector ? 'vec4<u32>' : 'u32'
  return `
alias V = ${type};
fn exact_exp(given: V) -> V {
  let x = clamp(given, V(-104.0), V(89.0));
  let n = ${I}(round(x * 1.4426950408889634));
  let r = fma(V(2 * n), V(-7.143033826651e-7), fma(V(n), V(-0.693145751953125), x));
  var y = fma(r, V(0.0001984127), V(0.0013888889));
  y = fma(r, y, V(0.008333334));
  y = fma(r, y, V(0.041666668));
  y = fma(r, y, V(0.16666667));
  y = fma(r, y, V(0.5));
  y = fma(r * r, y, r) + 1.0;
  let half = n / 2;
  return y * bitcast<V>((half + 127) << ${U}(23u)) * bitcast<V>((n - half + 127) << ${U}(23u));
}
fn exact_log(x: V) -> V {
  let bits = bitcast<${I}>(x);
  let shifted = bits - 0x3f3504f3;
  let k = shifted >> ${U}(23u);
  let m = bitcast<V>(bits - (k << ${U}(23u)));
  let s = (m - 1.0) / (m + 1.0);
  let q = s * s;
  var y = fma(q, V(0.11111111), V(0.14285715));
  y = fma(q, y, V(0.2));
  y = fma(q, y, V(0.33333334));
  let tail = fma(V(2 * k), V(7.143033826651e-7), 2.0 * s * q * y);
  let result = fma(V(k), V(0.693145751953125), fma(s, V(2.0), tail));
  return select(log(x), result, (x > V(0.0)) & (x < V(3.4e38)));
}
fn quarter_turn(x: V) -> ${I} { return ${I}(round(x * 0.6366197723675814)); }
fn rest_of_turn(x: V, k: ${I}) -> V {
  return fma(V(4 * k), V(-1.887447353965399e-8), fma(V(2 * k), V(-0.00024187564849853516), fma(V(k), V(-1.5703125), x)));
}
fn sin_part(r: V) -> V {
  let q = r * r;
  var y = fma(q, V(2.7557319e-6), V(-0.0001984127));
  y = fma(q, y, V(0.008333334));
  y = fma(q, y, V(-0.16666667));
  return fma(r * q, y, r);
}
fn cos_part(r: V) -> V {
  let q = r * r;
  var y = fma(q, V(-2.7557319e-7), V(2.4801588e-5));
  y = fma(q, y, V(-0.0013888889));
  y = fma(q, y, V(0.041666668));
  y = fma(q, y, V(-0.5));
  return fma(q, y, V(1.0));
}
fn turned(x: V, by: i32) -> V {
  let k = quarter_turn(x);
  let r = rest_of_turn(x, k);
  let n = k + by;
  let y = select(sin_part(r), cos_part(r), (n & ${I}(1)) == ${I}(1));
  return select(y, -y, (n & ${I}(2)) == ${I}(2));
}
fn exact_sin(x: V) -> V { return turned(x, 0); }
fn exact_cos(x: V) -> V { return turned(x, 1); }
// 1 / (1 + e^-x); the exponent stays where nothing overflows.
fn sigmoid_of(x: V) -> V { return 1.0 / (1.0 + exact_exp(-clamp(x, V(-87.0), V(87.0)))); }
fn tanh_of(x: V) -> V {
  let y = 1.0 - 2.0 / (exact_exp(2.0 * clamp(abs(x), V(0.0), V(40.0))) + 1.0);
  return select(y, -y, x < V(0.0));
}
fn gelu_inner(x: V) -> V { return x * fma(x * x, V(0.07135481), V(1.5957691)); }
fn gelu_of(x: V) -> V { return x * sigmoid_of(gelu_inner(x)); }
fn silu_of(x: V) -> V { return x * sigmoid_of(x); }
// Not max and clamp, which may drop a NaN.
fn relu_of(x: V) -> V { return select(x, V(0.0), x < V(0.0)); }
fn relu6_of(x: V) -> V { return select(relu_of(x), V(6.0), x > V(6.0)); }
fn gelu_slope(x: V) -> V {
  let s = sigmoid_of(gelu_inner(x));
  return s + x * s * (1.0 - s) * fma(x * x, V(0.21406444), V(1.5957691));
}
fn silu_slope(x: V) -> V {
  let s = sigmoid_of(x);
  return s * (1.0 + x * (1.0 - s));
}
`
}
