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

/** The members of each object of a type that is one of several, by the text of their `type`. */
export function variantsOf(file: string, name: string): ReadonlyMap<string, readonly string[]> {
  const source = ts.createSourceFile(file, page(file), ts.ScriptTarget.Latest)
  const found = source.statements.find(
    (statement) => ts.isTypeAliasDeclaration(statement) && statement.name.text === name,
  )
  if (found === undefined) throw new Error(`${file} declares no type ${name}`)
  const variants = new Map<string, readonly string[]>()
  const visit = (node: ts.Node): void => {
    if (!ts.isTypeLiteralNode(node)) return ts.forEachChild(node, visit)
    const members = node.members.filter((member) => ts.isPropertySignature(member))
    const named = members.flatMap(({ name: key }) => (ts.isIdentifier(key) ? [key.text] : []))
    const type = members.find(({ name: key }) => ts.isIdentifier(key) && key.text === 'type')?.type
    if (type && ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal))
      variants.set(type.literal.text, named)
  }
  visit(found)
  return variants
}
