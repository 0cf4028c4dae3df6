/*
 * Saving the settings: a call, or a file where the auxiliary parameters do not
 * fit into a frame.
 */
import { client } from '../../api/client';
import { awaitJob, type Job } from '../../api/job';
import type { Values } from '../../form/fields';

/* Characters of a frame are 65,536; what stands around the data is short. */
const FRAME = 60_000;

/** The number of the job that takes the file. */
async function upload(method: string, params: unknown[], file: string): Promise<number> {
  const token = await client.call('auth.generate_token', 60, {}, true, true);
  const form = new FormData();
  form.append('data', JSON.stringify({ method, params }));
  form.append('file', new Blob([file]), 'options');
  const answer = await fetch('/_upload', {
    method: 'POST',
    headers: { Authorization: `Token ${token}` },
    body: form,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { job_id: number }).job_id;
}

/** ssh.update, whatever the length. */
export async function saveSsh(data: Values): Promise<unknown> {
  if (JSON.stringify(data).length < FRAME) return client.call('ssh.update', data);
  const { options, ...rest } = data;
  const id = await upload('ssh.upload_options', [rest], String(options));
  await awaitJob(id);
  /* Events have the result as of an entry; a dry run's is none. */
  const [job] = (await client.call('core.get_jobs', [['id', '=', id]], {
    extra: { raw_result: true },
  })) as unknown as Job[];
  return job?.result;
}
