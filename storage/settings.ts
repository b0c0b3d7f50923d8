/** Small facts of the installation, as JSON by key. */

export interface Settings {
  /** Null = never set. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  remove(key: string): Promise<void>
}
