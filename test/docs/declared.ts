import ts from 'typescript'
import { page } from './pages.ts'

/** The names that an interface of a source file declares itself, without those that it extends. */
export function membersOf(file: string, name: string): readonly string[] {
  const source = ts.createSourceFile(file, page(file), ts.ScriptTarget.Latest)
  const found = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  )
  if (found === undefined) throw new Error(`${file} declares no interface ${name}`)
  return (found as ts.InterfaceDeclaration).members.flatMap((member) =>
    member.name !== undefined && ts.isIdentifier(member.name) ? [member.name.text] : [],
  )
}

/** The keys of the object that a constant of a source file is made of: `const schema = z.strictObject({ … })`. */
export function keysOf(file: string, name: string): readonly string[] {
  const source = ts.createSourceFile(file, page(file), ts.ScriptTarget.Latest)
  const made = source.statements
    .filter((statement) => ts.isVariableStatement(statement))
    .flatMap((statement) => statement.declarationList.declarations)
    .find((one) => ts.isIdentifier(one.name) && one.name.text === name)?.initializer
  const [object] = made !== undefined && ts.isCallExpression(made) ? made.arguments : []
  if (object === undefined || !ts.isObjectLiteralExpression(object))
    throw new Error(`${file} makes no ${name} of an object`)
  return object.properties.flatMap((property) =>
    property.name !== undefined && ts.isIdentifier(property.name) ? [property.name.text] : [],
  )
}
