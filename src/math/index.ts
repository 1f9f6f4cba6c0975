// `opmf/math`: strided arithmetic on `NdArray` (npm `ndarray`), any dimension, stride and offset, for example on the
// factor views of a model. ndarray-ops calls `new Function` on import, which a strict CSP and edge workers forbid: only
// src/math may import it, and no other layer may import src/math at run time. Training uses src/kernels.

export { axpy, hadamard, scale } from './elementwise';
export { dot, gemm, gemv } from './products';
export { mean, norm2, sum } from './reductions';
