package podvm.node.manifest;

import java.util.regex.Pattern;

/** The forms that Kubernetes gives names. */
final class Names {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SUBDOMAIN =
            Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    private static final Pattern KEY = Pattern.compile("[-._a-zA-Z0-9]{1,253}");
    private static final Pattern QUALIFIED =
            Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
    private static final Pattern LABEL_VALUE =
            Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");
    private static final Pattern VARIABLE = Pattern.compile("[ -<>-~]+");

    static final String LABEL_FORM =
            "at most 63 lower case letters, digits and dashes, with a letter or digit at both ends";
    static final String SUBDOMAIN_FORM =
            "at most 253 lower case letters, digits, dashes and dots, with a letter or digit at"
                    + " both ends of each part";

    private Names() {}

    static boolean isLabel(String text) {
        return LABEL.matcher(text).matches();
    }

    static boolean isSubdomain(String text) {
        return text.length() <= 253 && SUBDOMAIN.matcher(text).matches();
    }

    /** A key of a ConfigMap or Secret: it can become a file name. */
    static boolean isKey(String text) {
        return KEY.matcher(text).matches() && !text.equals(".") && !text.startsWith("..");
    }

    /** A label's or annotation's key: a name, perhaps below a domain and a slash. */
    static boolean isQualified(String text) {
        var slash = text.indexOf('/');
        return QUALIFIED.matcher(text.substring(slash + 1)).matches()
                && (slash < 0 || isSubdomain(text.substring(0, slash)));
    }

    static boolean isLabelValue(String text) {
        return LABEL_VALUE.matcher(text).matches();
    }

    /** An environment variable's name: printable ASCII without "=". */
    static boolean isVariable(String text) {
        return VARIABLE.matcher(text).matches();
    }
}
