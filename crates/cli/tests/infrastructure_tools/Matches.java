/** Asks Java, whose regular expressions CodePipeline takes: for each pair of a text and an expression, one line. */
public class Matches {
    public static void main(String[] arguments) {
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            // Whether CodePipeline searches or compares the whole text must make no difference.
            boolean whole = arguments[at].matches(arguments[at + 1]);
            boolean part = java.util.regex.Pattern.compile(arguments[at + 1]).matcher(arguments[at]).find();
            System.out.println(whole == part ? String.valueOf(whole) : "differs");
        }
    }
}
