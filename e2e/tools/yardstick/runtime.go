package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const largestMessage = 16 << 20

// runtime is one side, with what was made there.
type runtime struct {
	socket     string
	host       bool
	calls      cri.RuntimeServiceClient
	pods       []string
	containers []string
}

// dial connects to a runtime; host: its pods stay in the node's network, so that no plugin is needed.
func dial(socket string, host bool) (*runtime, error) {
	connection, err := grpc.NewClient("unix://"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestMessage)))
	if err != nil {
		return nil, err
	}
	return &runtime{socket: socket, host: host, calls: cri.NewRuntimeServiceClient(connection)}, nil
}

// fill makes pods of one running container each, labelled as the kubelet labels them.
func (r *runtime) fill(ctx context.Context, image string, pods int) error {
	for i := range pods {
		name := fmt.Sprintf("yardstick-%d", i)
		labels := map[string]string{
			"app":                         "yardstick",
			"pod-template-hash":           "6b7c8d9f5b",
			"io.kubernetes.pod.name":      name,
			"io.kubernetes.pod.namespace": "default",
			"io.kubernetes.pod.uid":       "uid-" + name,
		}
		config := &cri.PodSandboxConfig{
			Metadata: &cri.PodSandboxMetadata{Name: name, Uid: "uid-" + name, Namespace: "default"},
			Labels:   labels,
			Annotations: map[string]string{
				"kubernetes.io/config.seen":   "2026-01-01T00:00:00.000000000Z",
				"kubernetes.io/config.source": "api",
			},
			Linux: &cri.LinuxPodSandboxConfig{SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Network: r.network(), Pid: cri.NamespaceMode_CONTAINER},
			}},
		}
		pod, err := r.calls.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: config})
		if err != nil {
			return err
		}
		r.pods = append(r.pods, pod.PodSandboxId)
		made, err := r.calls.CreateContainer(ctx, &cri.CreateContainerRequest{
			PodSandboxId:  pod.PodSandboxId,
			SandboxConfig: config,
			Config: &cri.ContainerConfig{
				Metadata: &cri.ContainerMetadata{Name: "main"},
				Image:    &cri.ImageSpec{Image: image},
				Command:  []string{"/bin/sleep", "1000000"},
				Labels: map[string]string{
					"io.kubernetes.container.name": "main",
					"io.kubernetes.pod.name":       name,
					"io.kubernetes.pod.namespace":  "default",
					"io.kubernetes.pod.uid":        "uid-" + name,
				},
				Annotations: map[string]string{
					"io.kubernetes.container.hash":                     "5f3b0ae1",
					"io.kubernetes.container.restartCount":             "0",
					"io.kubernetes.container.terminationMessagePath":   "/dev/termination-log",
					"io.kubernetes.container.terminationMessagePolicy": "File",
					"io.kubernetes.pod.terminationGracePeriod":         "30",
				},
				Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
					NamespaceOptions: &cri.NamespaceOption{Network: r.network(), Pid: cri.NamespaceMode_CONTAINER},
				}},
			},
		})
		if err != nil {
			return err
		}
		r.containers = append(r.containers, made.ContainerId)
		if _, err = r.calls.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: made.ContainerId}); err != nil {
			return err
		}
	}
	return nil
}

func (r *runtime) network() cri.NamespaceMode {
	if r.host {
		return cri.NamespaceMode_NODE
	}
	return cri.NamespaceMode_POD
}

func (r *runtime) empty(ctx context.Context) error {
	var all error
	for _, container := range r.containers {
		_, err := r.calls.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: container})
		all = errors.Join(all, err)
	}
	for _, pod := range r.pods {
		_, err := r.calls.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: pod})
		all = errors.Join(all, err)
		_, err = r.calls.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: pod})
		all = errors.Join(all, err)
	}
	return all
}

func millis(since time.Time) float64 { return float64(time.Since(since).Nanoseconds()) / 1e6 }
