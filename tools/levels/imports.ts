// SPDX-License-Identifier: Apache-2.0
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { LevelFinding, LevelRule } from './finding.ts';
import {
  CRYPTO_MEMBER,
  isPurePath,
  MEMBER_LEVELS,
  PURE_DEPENDENCIES,
  SEES_ONLY,
  SQL_FOLDERS,
  SQL_MODULES,
  STARTERS,
} from './members.ts';
import type { ImportSite } from './syntax.ts';
import type { Member, SourceFile, Tree } from './tree.ts';

/** Who may import what: levels, manifests, entries, purity. Type imports count like the others. */
export function checkImports(tree: Tree): LevelFinding[] {
  return tree.sources.flatMap((file) => file.syntax.imports.flatMap((site) => checkImport(tree, file, site)));
}

function checkImport(tree: Tree, file: SourceFile, site: ImportSite): LevelFinding[] {
  const found = (rule: LevelRule, hint: string): LevelFinding => ({ file: file.path, line: site.line, rule, hint });
  const { specifier } = site;
  if (specifier === undefined) {
    // Tools load benchmarks and fuzz targets by path; nothing else has a reason to.
    if (file.member === undefined) return [];
    return [found('computed-import', 'give import() a literal, so that checks can read where it goes')];
  }
  if (specifier.startsWith('.')) return checkRelative(file, specifier, found);
  if (isBuiltin(specifier)) return checkBuiltin(file, specifier, found);
  const name = packageName(specifier);
  const target = tree.members.find((member) => member.name === name);
  return [
    ...checkDeclared(tree, file, name, target, found),
    ...(target === undefined ? checkDependency(file, name, found) : checkMember(file, specifier, target, found)),
  ];
}

type Found = (rule: LevelRule, hint: string) => LevelFinding;

/** What runs in the product; tests, benchmarks and fuzz targets are held by fewer rules. */
function isProduct(file: SourceFile): boolean {
  return file.member !== undefined && file.inner.startsWith('src/');
}

function isPure(file: SourceFile): boolean {
  return file.member !== undefined && isPurePath(file.member.folder, file.inner);
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function checkRelative(file: SourceFile, specifier: string, found: Found): LevelFinding[] {
  const inner = posix.join(posix.dirname(file.inner), specifier);
  if (inner.startsWith('..'))
    return [
      found('outside-member', `${specifier} leaves ${file.member?.folder ?? 'the tree'}: import the package by name`),
    ];
  if (file.member === undefined) {
    // From tools into a package is the same mistake; tools/testing is a member that only tests use.
    return /^(packages|apps)\//.test(inner)
      ? [found('outside-member', `${specifier} enters a package by its path: import it by name`)]
      : [];
  }
  if (isPure(file) && inner.startsWith('src/') && !isPurePath(file.member.folder, inner)) {
    return [found('pure-import', `${specifier} uses Node.js, and this file must run in a browser`)];
  }
  return [];
}

function checkBuiltin(file: SourceFile, specifier: string, found: Found): LevelFinding[] {
  const findings: LevelFinding[] = [];
  if (isPure(file)) {
    findings.push(
      found('pure-import', `${specifier} is Node.js: take it as an argument, or move this under src/node/`),
    );
  }
  if (/^(node:)?crypto$/.test(specifier) && isProduct(file) && file.member?.folder !== CRYPTO_MEMBER) {
    findings.push(found('crypto', `only ${CRYPTO_MEMBER} imports ${specifier}: use @vouchsafe/crypto`));
  }
  return [...findings, ...checkSqlModule(file, specifier, found)];
}

function checkSqlModule(file: SourceFile, name: string, found: Found): LevelFinding[] {
  if (!isProduct(file) || !SQL_MODULES.includes(name) || SQL_FOLDERS.some((folder) => file.path.startsWith(folder)))
    return [];
  return [found('sql', `only ${SQL_FOLDERS.join(' and ')} import ${name}: add a method to the repository there`)];
}

function checkDeclared(
  tree: Tree,
  file: SourceFile,
  name: string,
  target: Member | undefined,
  found: Found,
): LevelFinding[] {
  const { member } = file;
  if (member === undefined) {
    return tree.rootDependencies.has(name) ? [] : [found('undeclared', `add ${name} to the root's package.json`)];
  }
  if (member.dependencies.has(name) || member === target) return [];
  if (isProduct(file)) {
    const isForTests = member.devDependencies.has(name) || tree.rootDependencies.has(name);
    return isForTests
      ? [
          found(
            'test-dependency',
            `${name} is there for tests alone: add it to the dependencies of ${member.folder}/package.json`,
          ),
        ]
      : [found('undeclared', `add ${name} to the dependencies of ${member.folder}/package.json`)];
  }
  if (member.devDependencies.has(name) || tree.rootDependencies.has(name)) return [];
  return [found('undeclared', `add ${name} to the devDependencies of ${member.folder}/package.json`)];
}

function checkDependency(file: SourceFile, name: string, found: Found): LevelFinding[] {
  const findings = checkSqlModule(file, name, found);
  const allowed = PURE_DEPENDENCIES[file.member?.folder ?? ''] ?? [];
  if (isPure(file) && !allowed.some((prefix) => name.startsWith(prefix))) {
    findings.push(
      found('pure-import', `${name} is no dependency that a pure package may have (tools/levels/members.ts)`),
    );
  }
  return findings;
}

/** An import of another member, or of the file's own package, by name. */
function checkMember(file: SourceFile, specifier: string, target: Member, found: Found): LevelFinding[] {
  const entry = `.${specifier.slice(target.name.length)}`;
  const exported = target.exports.get(entry);
  if (exported === undefined) {
    return [
      found(
        'not-exported',
        `${target.name} has no entry ${entry}: its exports are ${[...target.exports.keys()].join(', ')}`,
      ),
    ];
  }
  const { member } = file;
  if (member === undefined) return [];
  if (member === target) {
    return isProduct(file) ? [found('own-name', 'import the file by its relative path')] : [];
  }
  const findings = checkDirection(member, target, found);
  if (isPure(file) && !isPurePath(target.folder, exported.pure)) {
    findings.push(found('pure-import', `${specifier} uses Node.js, and this file must run in a browser`));
  }
  return findings;
}

function checkDirection(member: Member, target: Member, found: Found): LevelFinding[] {
  const sees = SEES_ONLY[member.folder];
  if (sees !== undefined && !sees.includes(target.folder)) {
    return [found('sees-only', `${member.folder} may import ${sees.join(', ')} and no other member`)];
  }
  if (member.folder.startsWith('apps/') && target.folder.startsWith('apps/')) {
    if (STARTERS.includes(member.folder)) return [];
    return [
      found('app-imports-app', `${member.folder} may not import ${target.folder}: move what both need into a package`),
    ];
  }
  const [from, to] = [MEMBER_LEVELS[member.folder], MEMBER_LEVELS[target.folder]];
  if (from === undefined || to === undefined || to < from) return [];
  return [
    found('level', `${member.folder} (level ${from}) may not import ${target.folder} (level ${to}): imports go down`),
  ];
}
