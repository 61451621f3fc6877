/** A `fetch` whose answers end with an error when they are longer than `bytesMax`, whatever they announce. */
export function boundBody(fetch: typeof globalThis.fetch, bytesMax: number): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    let bytes = 0;
    const bounded = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          bytes += piece.byteLength;
          if (bytes > bytesMax)
            controller.error(new RangeError(`The answer has more than ${bytesMax} bytes.`));
          else controller.enqueue(piece);
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(bounded, { status, statusText, headers });
  };
}
