// `opmf/math`: strided arithmetic on `NdArray` (npm `ndarray`), any dimension, stride and offset; what a caller does with
// the factor views of a model. ndarray-ops runs `new Function` when it is imported, which a strict CSP and edge workers
// forbid: only src/math may import it, and no other layer may import src/math at run time. Training uses src/kernels.

export { axpy } from './axpy';
export { dot } from './dot';
export { gemm } from './gemm';
export { gemv } from './gemv';
export { hadamard } from './hadamard';
export { mean } from './mean';
export { norm2 } from './norm2';
export { scale } from './scale';
export { sum } from './sum';
