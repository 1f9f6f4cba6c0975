// `opmf/math`: strided arithmetic on `NdArray` (npm `ndarray`), any dimension, stride and offset; what a caller does with
// the factor views of a model. ndarray-ops runs `new Function` when it is imported, which a strict CSP and edge workers
// forbid: only src/math may import it, and no other layer may import src/math at run time. Training uses src/kernels.

export { axpy, hadamard, scale } from './elementwise';
export { dot, gemm, gemv } from './products';
export { mean, norm2, sum } from './reductions';
