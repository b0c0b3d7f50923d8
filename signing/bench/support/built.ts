/** Modules of the built program: what is measured is what is shipped, without the wrappers of the test loader. */

/** @param path below dist/ */
export async function built<T>(path: string): Promise<T> {
  return (await import(new URL(`../../../dist/${path}`, import.meta.url).href)) as T
}
