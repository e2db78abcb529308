package podvm.node.manifest;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import podvm.engine.ContainerSpec.Resources;
import podvm.engine.HugepageSizes;

/** What a container may use. A request that is not given is the limit. */
final class ResourcesReader {
    private static final Set<String> HONOURED = Set.of("cpu", "memory");

    private static final String HUGEPAGES = "hugepages-";

    private ResourcesReader() {}

    static Resources read(Mapping container) {
        var fields = container.mapping("resources");
        if (fields.isEmpty()) {
            return new Resources(
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Map.of());
        }
        var limits = fields.get().mapping("limits");
        var requests = fields.get().mapping("requests");
        var cpuLimit = amount(limits, "cpu");
        var cpuRequest = amount(requests, "cpu");
        var memoryLimit = amount(limits, "memory");
        var memoryRequest = amount(requests, "memory");
        compare(requests, "cpu", cpuLimit, cpuRequest);
        compare(requests, "memory", memoryLimit, memoryRequest);
        var hugepages = hugepages(limits, requests);
        limits.ifPresent(ResourcesReader::refuseOthers);
        requests.ifPresent(ResourcesReader::refuseOthers);
        fields.get().finish(KubernetesFields.RESOURCES);
        return new Resources(
                positive(cpuLimit),
                positive(cpuRequest.or(() -> cpuLimit)),
                positive(memoryLimit),
                positive(memoryRequest.or(() -> memoryLimit)),
                hugepages);
    }

    /** Kubernetes has it so that what is asked for is the limit, in whole pages. */
    private static Map<String, Long> hugepages(
            Optional<Mapping> limits, Optional<Mapping> requests) {
        var result = new TreeMap<String, Long>();
        for (var name : names(limits, requests)) {
            var limit = amount(limits, name);
            var request = amount(requests, name);
            var value =
                    limits.flatMap(mapping -> mapping.get(name))
                            .or(() -> requests.flatMap(mapping -> mapping.get(name)));
            var size = pageBytes(name);
            if (size.isEmpty()) {
                value.ifPresent(it -> it.problem("a machine has pages of 2Mi and 1Gi alone"));
            } else if (limit.isEmpty() || (request.isPresent() && !request.equals(limit))) {
                value.ifPresent(it -> it.problem("the limit and the request must be the same"));
            } else if (limit.get() % size.get() != 0) {
                value.ifPresent(it -> it.problem("must be whole pages"));
            } else if (limit.get() > 0) {
                result.put(HugepageSizes.name(size.get()).orElseThrow(), limit.get());
            }
        }
        return result;
    }

    private static Set<String> names(Optional<Mapping> limits, Optional<Mapping> requests) {
        var names = new TreeSet<String>();
        limits.ifPresent(mapping -> names.addAll(mapping.entries().keySet()));
        requests.ifPresent(mapping -> names.addAll(mapping.entries().keySet()));
        names.removeIf(name -> !name.startsWith(HUGEPAGES));
        return names;
    }

    /** Empty where there are no such pages. */
    private static Optional<Long> pageBytes(String resource) {
        return Quantity.parse(resource.substring(HUGEPAGES.length()))
                .flatMap(Quantity::whole)
                .filter(bytes -> HugepageSizes.name(bytes).isPresent());
    }

    /** Zero means the same as nothing said. */
    private static Optional<Long> positive(Optional<Long> amount) {
        return amount.filter(number -> number > 0);
    }

    private static Optional<Long> amount(Optional<Mapping> fields, String resource) {
        var value = fields.flatMap(mapping -> mapping.get(resource));
        if (value.isEmpty()) {
            return Optional.empty();
        }
        var text = value.get().literal();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var quantity = Quantity.parse(text.get());
        if (quantity.isEmpty()) {
            value.get().problem("is no quantity such as 500m or 128Mi: " + text.get());
            return Optional.empty();
        }
        if (quantity.get().negative()) {
            value.get().problem("must not be negative, but is " + text.get());
            return Optional.empty();
        }
        var cpu = resource.equals("cpu");
        var amount = cpu ? quantity.get().thousandths() : quantity.get().whole();
        if (amount.isEmpty()) {
            value.get()
                    .problem(
                            cpu
                                    ? "must be whole thousandths of a CPU such as 250m, not "
                                            + text.get()
                                    : "must be a whole number of bytes such as 128Mi, not "
                                            + text.get());
        }
        return amount;
    }

    private static void compare(
            Optional<Mapping> requests,
            String resource,
            Optional<Long> limit,
            Optional<Long> request) {
        if (limit.isPresent() && request.isPresent() && request.get() > limit.get()) {
            requests.flatMap(mapping -> mapping.get(resource))
                    .ifPresent(value -> value.problem("must not be more than the limit"));
        }
    }

    private static void refuseOthers(Mapping amounts) {
        amounts.entries()
                .forEach((name, value) -> {
                    if (!HONOURED.contains(name) && !name.startsWith(HUGEPAGES)) {
                        value.problem(
                                "not honoured by podvm run: only cpu, memory and"
                                        + " hugepages are limited; remove "
                                        + name
                                        + Suggestion.among(HONOURED, name));
                    }
                });
    }
}
