/** Makes something at the first call and gives the same to every later one. One that could not be made is tried again at the next call. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made === undefined) {
      const mine = (made = make());
      mine.catch(() => {
        if (made === mine) made = undefined;
      });
    }
    return made;
  };
}
