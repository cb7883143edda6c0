import { mpiCommunicator } from '../../src/node/index.js'

/** Rank 1 ends before it has joined the job, as a program does that cannot be loaded. */
const { code } = JSON.parse(process.argv[2]) as { code: number }
if ((process.env['PMI_RANK'] ?? process.env['OMPI_COMM_WORLD_RANK']) === '1') process.exit(code)
const communicator = await mpiCommunicator({ patience: 3, startPatience: 3 })
await communicator.close()
