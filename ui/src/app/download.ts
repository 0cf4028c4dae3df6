/*
 * What a method writes as a file that the browser keeps.  The address is good
 * once, and for a short time.
 */
import { client, type Method } from '../api/client';

export async function download(method: Method, args: unknown[], filename: string): Promise<void> {
  const [, url] = await client.call('core.download', method, args, filename);
  const link = document.createElement('a');
  link.href = url as string;
  link.download = filename;
  link.click();
}
