// What a pod is doing, in one word, as `kubectl get pods` says it.
import type { ContainerStatusShape, PodShape } from './shape.ts'

/** `status`: Running, CrashLoopBackOff, Init:0/2, Terminating …; `ready`: `1/2`; `restarts`: of its containers. */
export type PodStatus = Readonly<{ status: string; ready: string; restarts: number }>

/** Why a container is not running; undefined when it runs. */
function troubleOf(container: ContainerStatusShape): string | undefined {
  const { waiting, terminated } = container.state ?? {}
  if (waiting?.reason) return waiting.reason
  if (!terminated) return undefined
  if (terminated.reason) return terminated.reason
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`
}

/** A container that runs beside the others although it is listed as an init container. */
const isSidecar = (pod: PodShape, name: string | undefined): boolean =>
  pod.spec.initContainers?.find(c => c.name === name)?.restartPolicy === 'Always'

/** `Init:…` while the init containers are at work; undefined when they are through. */
function initStatus(pod: PodShape): string | undefined {
  const containers = pod.status?.initContainerStatuses ?? []
  for (const [index, container] of containers.entries()) {
    const { terminated, waiting } = container.state ?? {}
    if (terminated && (terminated.exitCode ?? 0) === 0) continue
    if (isSidecar(pod, container.name) && container.started === true) continue
    const trouble =
      terminated || (waiting?.reason && waiting.reason !== 'PodInitializing') ? troubleOf(container) : undefined
    return `Init:${trouble ?? `${index}/${pod.spec.initContainers?.length ?? containers.length}`}`
  }
  return undefined
}

/** The text for the app containers: the first one in trouble, else the pod's phase. */
function mainStatus(pod: PodShape, phase: string): string {
  const containers = pod.status?.containerStatuses ?? []
  const text = containers.map(troubleOf).find(trouble => trouble !== undefined) ?? phase
  const isRunning = containers.some(c => c.ready === true && Boolean(c.state?.running))
  if (text !== 'Completed' || !isRunning) return text
  return pod.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ? 'Running' : 'NotReady'
}

const isGated = (pod: PodShape): boolean =>
  pod.status?.conditions?.some(c => c.type === 'PodScheduled' && c.reason === 'SchedulingGated') ?? false

function textOf(pod: PodShape): string {
  const phase = pod.status?.reason || (isGated(pod) ? 'SchedulingGated' : pod.status?.phase || 'Unknown')
  if (pod.metadata.deletionTimestamp !== undefined) return pod.status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating'
  return initStatus(pod) ?? mainStatus(pod, phase)
}

/** Reads a pod's status the way kubectl prints it. */
export function podStatus(pod: PodShape): PodStatus {
  const main = pod.status?.containerStatuses ?? []
  const sidecars = (pod.status?.initContainerStatuses ?? []).filter(c => isSidecar(pod, c.name))
  const total = (pod.spec.containers?.length ?? 0) + sidecars.length
  const ready = [...main, ...sidecars].filter(c => c.ready === true).length
  const restarts = [...main, ...sidecars].reduce((sum, c) => sum + (c.restartCount ?? 0), 0)
  return { status: textOf(pod), ready: `${ready}/${total}`, restarts }
}
