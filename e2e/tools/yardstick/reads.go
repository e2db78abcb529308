package main

import (
	"context"
	"slices"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// reads measures what the kubelet asks all the time, in milliseconds a call.
func reads(ctx context.Context, sides [2]*runtime, pairs, calls int) error {
	verbs := []struct {
		name string
		call func(*runtime, int) error
	}{
		{"Status", func(r *runtime, _ int) error {
			_, err := r.calls.Status(ctx, &cri.StatusRequest{})
			return err
		}},
		{"ListPodSandbox", func(r *runtime, _ int) error {
			_, err := r.calls.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
			return err
		}},
		{"ListContainers", func(r *runtime, _ int) error {
			_, err := r.calls.ListContainers(ctx, &cri.ListContainersRequest{})
			return err
		}},
		{"PodSandboxStatus", func(r *runtime, i int) error {
			_, err := r.calls.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: r.pods[i%len(r.pods)]})
			return err
		}},
		{"ContainerStatus", func(r *runtime, i int) error {
			_, err := r.calls.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: r.containers[i%len(r.containers)]})
			return err
		}},
	}
	for _, verb := range verbs {
		next := map[*runtime]int{}
		turn := func(r *runtime) (map[string]float64, error) {
			times := make([]float64, calls)
			for i := range times {
				began := time.Now()
				if err := verb.call(r, next[r]); err != nil {
					return nil, err
				}
				times[i] = millis(began)
				next[r]++
			}
			slices.Sort(times)
			return map[string]float64{"p50": times[calls/2], "p99": times[calls*99/100]}, nil
		}
		if err := turns(pairs, sides, turn, verb.name); err != nil {
			return err
		}
	}
	return nil
}
