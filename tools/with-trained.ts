// Puts what a pretrain node wrote (plain names, shapes of one still picture) back into a file of the released layout.
import { expectDType, f32, type Tensor } from "../engine/tensor/tensor.ts";

/**
 * The tensors of `untrained` with trained values: same names, same shapes. A causal 3-D kernel takes the trained 2-D one as its
 * last temporal slice, the only one that a still picture meets; its other slices stay. Tensors without effect stay too.
 * @param plainName name in `trained` of a tensor of the file
 * @throws RangeError when a trained tensor has no place or another size
 */
export function withTrained(
  untrained: ReadonlyMap<string, Tensor<"float32">>,
  trained: ReadonlyMap<string, Tensor>,
  plainName: (name: string) => string = (name) => name,
): Map<string, Tensor<"float32">> {
  const placed = new Set<string>();
  const result = new Map(
    [...untrained].map(([name, t]): [string, Tensor<"float32">] => {
      const plain = plainName(name);
      const value = trained.get(plain);
      if (!value) return [name, t];
      placed.add(plain);
      return [name, f32(t.shape, placeIn(name, t, expectDType(value, "float32", plain)))];
    }),
  );
  const homeless = [...trained.keys()].find((name) => !placed.has(name));
  if (homeless) throw new RangeError(`${homeless} was trained but the file has no place for it`);
  return result;
}

function placeIn(name: string, { shape, data }: Tensor<"float32">, value: Float32Array): Float32Array {
  if (value.length === data.length) return value;
  const [o = 1, i = 1, slices = 1, kh = 1, kw = 1] = shape;
  const area = kh * kw;
  if (shape.length !== 5 || value.length !== o * i * area)
    throw new RangeError(`${name} [${shape}] cannot take ${value.length} trained values`);
  const out = data.slice();
  for (let row = 0; row < o * i; row++) out.set(value.subarray(row * area, (row + 1) * area), (row * slices + slices - 1) * area);
  return out;
}
