import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Expression, parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

/**
 * Text of a user, of the exchange or of Redis gets into a statement as a parameter or through literal() only. What a
 * statement is put together from is on these lists; what is not fails here, for somebody to look at.
 */

/** Functions whose result is SQL, whatever they are given: they escape, or take numbers and names of our own. */
const CALLS = new Set(
  (
    'literal timestamp ofSeries inRange within around rowsOf baseVolume cellsIn counted encodingOf evenBar at utc ' +
    'isLowest levels startOf sumOf traded tradesTableName tradesViewName'
  ).split(' '),
);

/**
 * Pieces of SQL that the same module has made, and names of tables, views and columns: of our schema, or made from
 * a symbol by series-names.ts, which keeps only letters, digits and underscores.
 */
const NAMES = new Set(
  (
    'applied bar branches clock column columns days format from hours ids inside joined later name next ofTier only ' +
    'parameter plain prefix rest rows shown stamps stored table tier time transaction ts type unfinished values view ' +
    'which window at after more set where'
  ).split(' '),
);

/** Numbers: by a unit in the name, or counts and steps that a schema has checked. */
const NUMBERS = /^([a-z]\w*(Ms|Us|Id)|limit|bin)$/;

const SQL =
  /\b(select|from|where|insert|update|alter|create|drop|order by|values|wait_wal_table|show|join|union|over|and|or|limit|cast)\b/i;

function isSafe(expression: Expression): boolean {
  if (expression.type === 'Literal') return true;
  if (expression.type === 'Identifier') return isSafeName(expression.name);
  if (expression.type === 'TemplateLiteral') return expression.expressions.every(isSafe);
  if (expression.type === 'ConditionalExpression')
    return isSafe(expression.consequent) && isSafe(expression.alternate);
  if (expression.type === 'MemberExpression') {
    const { property, computed } = expression;
    if (property.type !== 'Identifier' || computed) return false;
    return NUMBERS.test(property.name) || property.name === 'name';
  }
  if (expression.type === 'BinaryExpression') {
    const { operator, left, right } = expression;
    // The result of any other operator is a number.
    return operator !== '+' || (isSafe(left) && isSafe(right));
  }
  if (expression.type !== 'CallExpression') return false;
  const { callee } = expression;
  if (callee.type === 'Identifier') return CALLS.has(callee.name);
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
  // Keys of a table of columns.
  if (callee.property.name === 'keys') return true;
  return callee.property.name === 'join' && isSafe(callee.object);
}

function isSafeName(name: string): boolean {
  return /^[A-Z][A-Z_\d]*$/.test(name) || NAMES.has(name) || NUMBERS.test(name);
}

/** What statements of a module are put together from and must not be. */
function unsafeIn(name: string, text: string): string[] {
  const { program, errors } = parseSync(name, text, { lang: 'ts' });
  expect(errors).toEqual([]);
  const found: string[] = [];
  const check = (expressions: readonly Expression[]) => {
    for (const each of expressions)
      if (!isSafe(each)) found.push(`${name}: ${text.slice(each.start, each.end)}`);
  };
  new Visitor({
    TemplateLiteral({ quasis, expressions }) {
      if (SQL.test(quasis.map(({ value }) => value.raw).join(' x '))) check(expressions);
    },
    BinaryExpression(node) {
      const { operator, left, right } = node;
      if (operator !== '+') return;
      const isStatement = [left, right].some(
        (side) => side.type === 'Literal' && typeof side.value === 'string' && SQL.test(side.value),
      );
      const isSum = (side: Expression) =>
        side.type === 'BinaryExpression' || side.type === 'TemplateLiteral';
      if (isStatement) check([left, right].filter((side) => !isSum(side)));
    },
  }).visit(program);
  return found;
}

const folder = path.resolve(import.meta.dirname, '../../src/adapters/questdb');
/** Texts of errors, for people. */
const MESSAGES = new Set(['exp-connection.ts', 'limited-sql.ts', 'patient-write.ts']);

test('statements are put together from constants, numbers, names and literal() only', () => {
  const names = globSync('*.ts', { cwd: folder }).filter((name) => !MESSAGES.has(name));
  const found = names.flatMap((name) =>
    unsafeIn(name, readFileSync(path.join(folder, name), 'utf8')),
  );
  expect(names.length).toBeGreaterThan(30);
  expect(found).toEqual([]);
});

test.each([
  'sql.query(`SELECT a FROM t WHERE symbol = ${symbol}`)',
  "sql.query(`SELECT a FROM t WHERE symbol = '${series.symbol}'`)",
  "sql.query('SELECT a FROM t WHERE symbol = ' + symbol)",
  'sql.query(`SELECT a FROM t WHERE ${given.where}`)',
  'sql.query(`SELECT a FROM ${tableOf(symbol)}`)',
  "sql.query(`SELECT a FROM t WHERE x IN (${symbols.join(', ')})`)",
  'sql.query(`SELECT a FROM t WHERE ts > ${fromMs + zone}`)',
  'sql.query(`SELECT a FROM t WHERE x = ${isLong ? TABLE : text}`)',
  'sql.query(`SELECT a FROM t WHERE x = ${rows[0]}`)',
])('text that is not escaped is seen: %s', (statement) => {
  expect(unsafeIn('x.ts', statement)).toHaveLength(1);
});

test.each([
  'sql.query(`SELECT a FROM t WHERE symbol = ${literal(symbol)}`)',
  'sql.query(`SELECT a FROM ${table} WHERE ${OF_SERIES}`, seriesParameters(series))',
  'sql.query(`SELECT a FROM t WHERE ts > ${startMs * 1000}::timestamp LIMIT ${limit + 1}`)',
  'new Error(`no answer of ${host}`)',
])('passes: %s', (statement) => {
  expect(unsafeIn('x.ts', statement)).toEqual([]);
});
