/** What a program that is started finds: our own variables, and others beside or instead of them. */
export function childEnvironment(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { ...process.env, ...variables } as Record<string, string>
}
