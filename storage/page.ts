/** Paging by key: a page starts after the last row seen, so that no listing slows down with its length. */

export interface PageRequest {
  /** `next` of the page before; absent or null = from the start */
  after?: string | null
  /** rows wanted, 1 to 1,000 */
  limit?: number
}

export interface Page<T> {
  items: T[]
  /** hand this in as `after`; null = this was the last page */
  next: string | null
}
