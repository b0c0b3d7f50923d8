/** Parsers for command arguments; each refuses with a sentence that names the choices. */
import { InvalidArgumentError } from 'commander'
import { AUDIENCES, LEVELS, ROLES, type Audience, type Level, type Role } from '../policies/index.ts'

export const levelArgument = oneOf<Level>(LEVELS)
export const audienceArgument = oneOf<Audience>(AUDIENCES)
export const roleArgument = oneOf<Role>(ROLES)

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  }
}

/** For options that may be given several times; without a default, because the help would show an empty list. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value]
}

export function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((one) => one.toLowerCase() === text.toLowerCase())
    if (choice !== undefined) return choice
    throw new InvalidArgumentError(`Give one of ${choices.join(', ')}.`)
  }
}
