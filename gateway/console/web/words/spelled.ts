/** The same words in any language: each text any text, each sentence with the same things to fill in. */
export type Spelled<T> = T extends string
  ? string
  : T extends (...given: infer G) => string
    ? (...given: G) => string
    : T extends readonly string[]
      ? readonly string[]
      : { readonly [K in keyof T]: Spelled<T[K]> };
