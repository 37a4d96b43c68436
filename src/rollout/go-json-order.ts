// The members of a pod template in the order in which Kubernetes 1.34 writes them as JSON.
// A line is `Type: member ...`, continued on indented lines; a member is its JSON name, a mark and its type.
// Marks: `!` always written, `!!` the same for objects held by value, `?` left out when zero, `~` left out when it is
// the zero time. Types: none is text, `[]T` a list, `map:T` an object, `*T` optional; see go-json.ts.
import { podFields } from '../api/go-fields-pod.ts'
import { volumeFields } from '../api/go-fields-volume.ts'

/** Types reachable from PodTemplateSpec. The order of members in the tables decides the pod hash. */
export const POD_TEMPLATE_TYPES = `${podFields.trim()}\n${volumeFields.trim()}`
