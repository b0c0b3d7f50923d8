/** Pieces that several sections of the configuration are made of. */
import { z } from 'zod'

/** A path; relative ones count from the folder of the configuration file. */
export const file = (what: string) => z.string().min(1).max(4096).meta({ description: what, path: true })

export const wholeNumber = (what: string, least: number, most: number) =>
  z.number().int().min(least).max(most).describe(what)
