// The list of kernels: X(name) for each KERNEL(name), and P(name) for those whose products may be in bf16 (bf16.h). Their names
// reach JavaScript as they stand here.
// Those that WebAssembly goes without, for the sake of its size: @dit/tensor composes what they do.
#ifndef __wasm__
#define MORE_KERNELS(X, P)                                                                                             \
  X(swiglu) X(swiglu_backward) X(rms_norm_modulate) X(rms_norm_modulate_backward) X(qk_norm_rope)                      \
  X(qk_norm_rope_backward) X(cross_attention) X(cross_attention_backward) P(linear_half) P(arrange_half)
#else
#define MORE_KERNELS(X, P)
#endif

#define KERNELS(X, P)                                                                                                  \
  X(fill) X(fill_int) X(copy) X(float_to_int) X(int_to_float) X(unary) X(unary_backward) X(affine) X(accumulate)      \
  X(binary) X(select) X(sum) X(matmul) X(strided_copy) X(gather) X(scatter_add) X(softmax) X(softmax_backward)        \
  P(linear) P(linear_backward) X(layer_norm_modulate) X(layer_norm_modulate_backward) P(attention)                    \
  P(attention_backward) X(gated_residual) X(gated_residual_backward) X(adamw) X(random_normal)                          \
  X(conv2d) X(conv2d_backward) X(depthwise) X(pool) X(group_norm) X(group_norm_backward) X(upsample2x) X(upsample2x_backward)        \
  X(product64) MORE_KERNELS(X, P)
