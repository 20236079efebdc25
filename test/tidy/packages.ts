/** Versions that are not exact, and packages of the runtime set that run a script when they are installed. */
export function checkPackages(manifest: string, lock: string): string[] {
  return [...notPinned(manifest), ...withInstallScript(lock)];
}

function entries(holder: unknown): [string, unknown][] {
  return typeof holder === 'object' && holder !== null ? Object.entries(holder) : [];
}

function notPinned(manifest: string): string[] {
  return entries(JSON.parse(manifest))
    .filter(([key]) => /^(?:d|devD|optionalD)ependencies$/.test(key))
    .flatMap(([, set]) => entries(set))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(String(version)))
    .map(([name, version]) => `package.json: ${name} ${String(version)} is not an exact version`);
}

function withInstallScript(lock: string): string[] {
  const packages = new Map(entries(JSON.parse(lock))).get('packages');
  return entries(packages)
    .map(([name, about]) => ({ name, about: new Map(entries(about)) }))
    .filter(({ about }) => about.get('dev') !== true && about.get('hasInstallScript') === true)
    .map(({ name }) => `package-lock.json: ${name} has an install script; npm 12 blocks it, take another package`);
}
